// The view of the topics; nothing is shown yet.
export function TopicsView() {
  return <h1>Topics</h1>
}
