// The view of the streams; nothing is shown yet.
export function StreamsView() {
  return <h1>Streams</h1>
}
