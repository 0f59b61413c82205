import { Empty } from '../parts/notes.tsx';

export function LinesView() {
  return <Empty>lines</Empty>;
}
