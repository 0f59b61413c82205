import { Empty } from '../parts/notes.tsx';

export function SourceView() {
  return <Empty>source</Empty>;
}
