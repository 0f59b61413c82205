import { Empty } from '../parts/notes.tsx';

export function FunctionsView() {
  return <Empty>functions</Empty>;
}
