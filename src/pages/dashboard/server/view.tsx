// The server: the health of what it depends on, and its configuration.
import { Configuration } from './configuration.tsx'
import { Health } from './health.tsx'

export function ServerView() {
  return (
    <>
      <div class="bar">
        <h1>Server</h1>
      </div>
      <Health />
      <Configuration />
    </>
  )
}
