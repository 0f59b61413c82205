export function Filters() {
  return <div />;
}
