import { Empty } from '../parts/notes.tsx';

export function FlameView() {
  return <Empty>flame</Empty>;
}
