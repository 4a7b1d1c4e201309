// The streams: a table with filter and order, and next to it the stream that is opened.
import { useCallback, useEffect, useMemo, useState } from 'preact/hooks'
import { sentenceFor } from '../../shared/refusal.ts'
import { closedStreams } from '../data/feed.ts'
import { go, replace, route } from '../data/route.ts'
import { useStore } from '../data/store.ts'
import { token } from '../data/token.ts'
import { Filter } from '../ui/filter.tsx'
import { plural } from '../ui/format.ts'
import { Failure, Missing } from '../ui/parts.tsx'
import { closedRows, loadClosed } from './closed.ts'
import { Detail } from './detail.tsx'
import { Grid } from './grid.tsx'
import { linkOf, queryOf, type StreamQuery, showing } from './query.ts'
import { maxRows, OpenStreams, type Rows } from './rows.ts'

export function StreamsView() {
  const shown = useStore(route)
  const query = useMemo(() => queryOf(shown), [shown])
  const { id } = shown
  return (
    <div class="streams" data-open={id !== ''}>
      <div class="list">
        <Tools query={query} onChange={(next) => replace(linkOf(next, id))} />
        {query.state === 'closed' ? <ClosedTable query={query} id={id} /> : <OpenTable query={query} id={id} />}
      </div>
      {id && <OpenedDetail key={id} id={id} query={query} />}
    </div>
  )
}

interface ToolsProps {
  readonly query: StreamQuery
  readonly onChange: (query: StreamQuery) => void
}

function Tools({ query, onChange }: ToolsProps) {
  return (
    <div class="bar">
      <h1>Streams</h1>
      <Filter
        label="Filter by address, subject, topic or id"
        value={query.filter}
        onInput={(text) => onChange({ ...query, filter: text })}
      />
      <label class="choice">
        Show{' '}
        <select
          value={query.state}
          onChange={(event) => onChange(showing(query, event.currentTarget.value as StreamQuery['state']))}
        >
          <option value="">open</option>
          <option value="live">live</option>
          <option value="behind">behind</option>
          <option value="closed">recently closed</option>
        </select>
      </label>
    </div>
  )
}

interface TableProps {
  readonly query: StreamQuery
  readonly id: string
}

/** Waits for the next letter before it asks the server. */
const typingMs = 150

function OpenTable({ query, id }: TableProps) {
  const { sort, order, state, filter } = query
  const used = useStore(token)
  const [settled, setSettled] = useState(filter)
  useEffect(() => {
    const timer = setTimeout(() => setSettled(filter), typingMs)
    return () => clearTimeout(timer)
  }, [filter])
  // biome-ignore lint/correctness/useExhaustiveDependencies: another token may see other streams
  const streams = useMemo(
    () => new OpenStreams({ sort, order, state, filter: settled }),
    [sort, order, state, settled, used]
  )
  useEffect(() => () => streams.close(), [streams])
  useEffect(() => openStreams.add(streams), [streams])
  const loading = useStore(streams.rows)
  // Until the new order has arrived, the old one stays on the screen.
  const [shown, setShown] = useState(loading)
  useEffect(() => {
    if (loading.isLoaded || loading.error) setShown(loading)
  }, [loading])
  const onShow = useCallback((first: number, last: number) => streams.show(first, last), [streams])
  return <Table rows={shown} query={query} id={id} onShow={onShow} what="open stream" />
}

function ClosedTable({ query, id }: TableProps) {
  const all = useStore(closedStreams)
  const [error, setError] = useState<string>()
  const [missing, setMissing] = useState<readonly string[]>([])
  useEffect(() => {
    loadClosed().then(setMissing, (failure: unknown) => setError(sentenceFor(failure)))
  }, [])
  const rows = useMemo(() => closedRows(all, query), [all, query])
  return <Table rows={{ ...rows, error, missing }} query={query} id={id} onShow={ignore} what="closed stream" />
}

const ignore = () => {}

interface AnyTableProps extends TableProps {
  readonly rows: Rows
  readonly what: string
  readonly onShow: (first: number, last: number) => void
}

function Table({ rows, query, id, onShow, what }: AnyTableProps) {
  const { matched, total } = rows
  return (
    <>
      <Failure error={rows.error} />
      <Missing nodes={rows.missing} />
      <p class="soft">
        {rows.isLoaded ? countText(matched, total, what) : 'Loading…'}
        {matched > maxRows &&
          ` The table has the first ${maxRows.toLocaleString('en')}. Use the filter to find others.`}
      </p>
      <Grid
        rows={rows}
        query={query}
        openId={id}
        onSort={(next) => replace(linkOf(next, id))}
        onOpen={(opened) => go(linkOf(query, opened))}
        onShow={onShow}
      />
    </>
  )
}

function countText(matched: number, total: number, what: string): string {
  return matched === total ? `${plural(total, what)}.` : `${matched.toLocaleString('en')} of ${plural(total, what)}.`
}

/** The table that an action refreshes. */
const openStreams = {
  current: undefined as OpenStreams | undefined,
  add(streams: OpenStreams): () => void {
    this.current = streams
    return () => {
      if (this.current === streams) this.current = undefined
    }
  }
}

function OpenedDetail({ id, query }: { readonly id: string; readonly query: StreamQuery }) {
  const close = useCallback(() => {
    go(linkOf(query))
    document.querySelector<HTMLElement>('[role=grid]')?.focus({ preventScroll: true })
  }, [query])
  useEffect(() => {
    const pressed = ({ key, defaultPrevented }: KeyboardEvent) => {
      if (key === 'Escape' && !defaultPrevented && !document.querySelector('dialog[open]')) close()
    }
    addEventListener('keydown', pressed)
    return () => removeEventListener('keydown', pressed)
  }, [close])
  return <Detail id={id} onClose={close} onChanged={() => openStreams.current?.refresh()} />
}
