import { Empty } from '../parts/notes.tsx';

export function CompareView() {
  return <Empty>compare</Empty>;
}
