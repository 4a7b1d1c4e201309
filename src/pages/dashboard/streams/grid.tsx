// The table of streams. Only the rows on the screen are elements, so its size does not matter.
import { useEffect, useMemo, useRef, useState } from 'preact/hooks'
import type { StreamRow } from '../../../dashboard-api/streams.ts'
import { DownIcon, UpIcon } from '../ui/icons.tsx'
import { type Column, columnsOf } from './columns.tsx'
import { type StreamQuery, sortedBy } from './query.ts'
import { maxRows, type Rows } from './rows.ts'

export const rowHeight = 30
/** Rows above and below the screen, so that a small movement shows no empty ones. */
const spareRows = 12

interface Props {
  readonly rows: Rows
  readonly query: StreamQuery
  /** The opened stream. */
  readonly openId: string
  readonly onSort: (query: StreamQuery) => void
  readonly onOpen: (id: string) => void
  readonly onShow: (first: number, last: number) => void
}

export function Grid({ rows, query, openId, onSort, onOpen, onShow }: Props) {
  const scroller = useRef<HTMLDivElement>(null)
  const [first, last] = useShownRows(scroller, rows.matched)
  const [active, setActive] = useState(0)
  const columns = columnsOf(query)
  const count = Math.min(rows.matched, maxRows)
  const current = Math.min(active, Math.max(0, count - 1))
  useEffect(() => onShow(first, last), [onShow, first, last])

  function move(to: number): void {
    const next = Math.max(0, Math.min(count - 1, to))
    setActive(next)
    const element = scroller.current
    if (!element) return
    const visible = element.clientHeight - rowHeight
    if (next * rowHeight < element.scrollTop) element.scrollTop = next * rowHeight
    else if ((next + 1) * rowHeight > element.scrollTop + visible) element.scrollTop = (next + 1) * rowHeight - visible
  }

  function pressed(event: KeyboardEvent): void {
    if (event.target !== scroller.current) return
    const page = Math.floor((scroller.current?.clientHeight ?? 0) / rowHeight) - 2
    const steps: Record<string, number> = {
      ArrowDown: current + 1,
      ArrowUp: current - 1,
      PageDown: current + page,
      PageUp: current - page,
      Home: 0,
      End: count - 1
    }
    const to = steps[event.key]
    const row = rows.row(current)
    if (to !== undefined) move(to)
    else if (event.key === 'Enter' && row) onOpen(row.id)
    else return
    event.preventDefault()
  }

  function clicked({ target }: MouseEvent): void {
    const element = target instanceof Element ? target.closest<HTMLElement>('[data-index]') : null
    if (!element) return
    const index = Number(element.dataset.index)
    const row = rows.row(index)
    setActive(index)
    if (row) onOpen(row.id)
  }

  const shown = Array.from({ length: Math.max(0, Math.min(count - 1, last) - first + 1) }, (_, at) => first + at)
  return (
    <div
      class="grid"
      role="grid"
      tabIndex={0}
      ref={scroller}
      aria-label={query.state === 'closed' ? 'Recently closed streams' : 'Open streams'}
      aria-rowcount={count + 1}
      aria-colcount={columns.length}
      aria-activedescendant={count > 0 ? `stream-${current}` : undefined}
      onKeyDown={pressed}
      onClick={clicked}
    >
      <Head query={query} onSort={onSort} />
      <div class="body" role="rowgroup" style={{ height: `${count * rowHeight}px` }}>
        {shown.map((index) => {
          const row = rows.row(index)
          const isOpen = row !== undefined && row.id === openId
          return (
            <Row key={index} columns={columns} index={index} row={row} isActive={index === current} isOpen={isOpen} />
          )
        })}
      </div>
    </div>
  )
}

interface RowProps {
  readonly columns: readonly Column[]
  readonly index: number
  /** Undefined until it is loaded. */
  readonly row: StreamRow | undefined
  readonly isActive: boolean
  readonly isOpen: boolean
}

function Row({ columns, index, row, isActive, isOpen }: RowProps) {
  // Preact skips elements that are the same objects as before, so a scrolled row costs nothing.
  const cells = useMemo(
    () =>
      columns.map(({ sort, isNumber, show }, column) => (
        <div
          key={sort}
          role="gridcell"
          aria-colindex={column + 1}
          class={isNumber ? 'cell number' : 'cell'}
          data-column={sort}
        >
          {row ? show(row) : '…'}
        </div>
      )),
    [row, columns]
  )
  return (
    <div
      id={`stream-${index}`}
      class="row"
      role="row"
      aria-rowindex={index + 2}
      aria-selected={isOpen}
      data-active={isActive}
      data-index={index}
      style={{ transform: `translateY(${index * rowHeight}px)` }}
    >
      {cells}
    </div>
  )
}

function Head({ query, onSort }: Pick<Props, 'query' | 'onSort'>) {
  return (
    <div class="head" role="rowgroup">
      <div class="row" role="row" aria-rowindex={1}>
        {columnsOf(query).map(({ sort, title, isNumber }, column) => {
          const isSorted = query.sort === sort
          const Icon = query.order === 'asc' ? UpIcon : DownIcon
          return (
            <div
              key={sort}
              role="columnheader"
              aria-colindex={column + 1}
              aria-sort={!isSorted ? 'none' : query.order === 'asc' ? 'ascending' : 'descending'}
              class={isNumber ? 'cell number' : 'cell'}
              data-column={sort}
            >
              <button type="button" class="sort" onClick={() => onSort(sortedBy(query, sort))}>
                {title}
                {isSorted && <Icon />}
              </button>
            </div>
          )
        })}
      </div>
    </div>
  )
}

/** The first and the last row to render, by the scroll position and the height of the table. */
function useShownRows(scroller: { readonly current: HTMLDivElement | null }, matched: number): [number, number] {
  const [range, setRange] = useState<[number, number]>([0, 60])
  // biome-ignore lint/correctness/useExhaustiveDependencies: fewer rows move the scroll position
  useEffect(() => {
    const element = scroller.current
    if (!element) return
    let frame = 0
    const measure = () => {
      frame = 0
      const first = Math.max(0, Math.floor(element.scrollTop / rowHeight) - spareRows)
      const last = Math.ceil((element.scrollTop + element.clientHeight) / rowHeight) + spareRows
      setRange((range) => (range[0] === first && range[1] === last ? range : [first, last]))
    }
    const later = () => {
      if (frame === 0) frame = requestAnimationFrame(measure)
    }
    const resized = new ResizeObserver(later)
    resized.observe(element)
    element.addEventListener('scroll', later, { passive: true })
    measure()
    return () => {
      cancelAnimationFrame(frame)
      resized.disconnect()
      element.removeEventListener('scroll', later)
    }
  }, [scroller, matched])
  return range
}
