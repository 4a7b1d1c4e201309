// The topics: the busiest ones, and the inspector, which explains what happens to an update of a topic.
import type { TopicList } from '../../../dashboard-api/overview.ts'
import { usePolled } from '../data/polled.ts'
import { apiUrl } from '../data/urls.ts'
import { Failure, Missing } from '../ui/parts.tsx'
import { Busiest } from './busiest.tsx'
import { Inspector } from './inspector.tsx'

const refreshMs = 2_000

export function TopicsView() {
  const { value, error } = usePolled<TopicList>(apiUrl('topics', { limit: 50 }), refreshMs)
  return (
    <>
      <div class="bar">
        <h1>Topics</h1>
      </div>
      <Failure error={error} />
      <Missing nodes={value?.missing} />
      <div class="halves">
        <Busiest list={value} />
        <Inspector />
      </div>
    </>
  )
}
