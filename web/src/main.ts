// Starts the page.
import { h, render } from 'preact';

import { App } from './app.tsx';
import { startLive } from './live.ts';
import { startRouting } from './state.ts';
import { startTheme } from './theme.ts';

startTheme();
startRouting();
startLive();
render(h(App, null), document.body);
