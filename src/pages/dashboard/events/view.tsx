// The view of the events; nothing is shown yet.
export function EventsView() {
  return <h1>Events</h1>
}
