// The view of the server; nothing is shown yet.
export function ServerView() {
  return <h1>Server</h1>
}
