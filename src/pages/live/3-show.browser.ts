// Shows events and gaps. Published data is always inserted as text, never as HTML.

function renderEvent({ topics: [topic, ...others], id, type, data, time }: Envelope): HTMLElement {
  const item = stamp('#event')
  const part = (selector: string, text: string) => {
    const element = item.querySelector(selector) as HTMLElement
    element.textContent = text
    return element
  }
  part('.topics', [topic, ...others].join(', '))
  part('.type', type).dataset.type = type
  part('.id', id)
  part('.data', data)
  const date = new Date(time)
  const when = part('time', shortTime(date)) as HTMLTimeElement
  when.dateTime = date.toISOString()
  when.title = date.toLocaleString()
  return item
}

/** The time of day in milliseconds, after the date if it is not today. */
function shortTime(date: Date): string {
  const two = (value: number) => String(value).padStart(2, '0')
  const clock = [date.getHours(), date.getMinutes(), date.getSeconds()].map(two).join(':')
  const isToday = date.toDateString() === new Date().toDateString()
  const day = isToday ? '' : `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())} `
  return `${day}${clock}.${String(date.getMilliseconds()).padStart(3, '0')}`
}

function renderGap({ requested, resumedAfter, reason }: Gap): HTMLElement {
  const item = stamp('#gap')
  const [sentence, ids] = item.children as unknown as [HTMLElement, HTMLElement]
  sentence.textContent = gaps[reason]
  ids.textContent = `after ${requested}, now after ${resumedAfter}`
  return item
}

function renderDeletion({ topics, id }: Deletion): HTMLElement {
  const item = stamp('#gap')
  const [sentence, what] = item.children as unknown as [HTMLElement, HTMLElement]
  sentence.textContent =
    id === undefined ? 'All earlier updates of these topics were deleted.' : 'An update was deleted.'
  what.textContent = [...(id === undefined ? [] : [id]), ...topics].join(', ')
  return item
}

function stamp(template: string): HTMLElement {
  const { content } = document.querySelector(template) as HTMLTemplateElement
  return (content.firstElementChild as HTMLElement).cloneNode(true) as HTMLElement
}

function add(item: HTMLElement): void {
  if (!held) {
    list.prepend(item)
    if (list.childElementCount > maxEvents) list.lastElementChild?.remove()
    return
  }
  held.push(item)
  if (held.length > maxEvents) held.shift()
  pauseButton.textContent = `Resume (${held.length} new)`
}

function togglePause(): void {
  if (held) {
    resume()
    return
  }
  held = []
  pauseButton.textContent = 'Resume'
}

function resume(): void {
  const waiting = held ?? []
  held = undefined
  pauseButton.textContent = 'Pause'
  for (const item of waiting) add(item)
}

function clear(): void {
  list.replaceChildren()
  if (!held) return
  held = []
  pauseButton.textContent = 'Resume'
}
