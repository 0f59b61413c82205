import { Empty } from '../parts/notes.tsx';

export function TimelineView() {
  return <Empty>timeline</Empty>;
}
