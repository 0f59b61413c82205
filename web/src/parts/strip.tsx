export function Strip() {
  return <div />;
}
