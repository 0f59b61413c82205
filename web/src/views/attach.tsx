import { Empty } from '../parts/notes.tsx';

export function AttachView() {
  return <Empty>attach</Empty>;
}
