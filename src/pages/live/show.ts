// Shows events and gaps. Published data is always inserted as text, never as HTML.

import type { Deletion, Gap, Update } from '../../client/index.ts'
import { shortTime } from '../shared/clock.ts'
import { gapTexts } from '../shared/gaps.ts'
import { find, list } from './elements.ts'

/** Events that the page keeps, and as many more while it is paused. */
const maxEvents = 500

export const pauseButton = find('#pause')

/** Events that arrived while the page is paused; undefined if it is not. */
let held: HTMLElement[] | undefined

export function showEvent({ topics, id = '', type, data, time = Date.now() }: Update<string>): void {
  const item = stamp('#event')
  const part = (selector: string, text: string) => {
    const element = item.querySelector(selector) as HTMLElement
    element.textContent = text
    return element
  }
  part('.topics', topics.join(', '))
  part('.type', type).dataset.type = type
  part('.id', id)
  part('.data', data)
  const date = new Date(time)
  const when = part('time', shortTime(date)) as HTMLTimeElement
  when.dateTime = date.toISOString()
  when.title = date.toLocaleString()
  add(item)
}

export function showGap({ requested, resumedAfter, reason }: Gap): void {
  showNotice(gapTexts[reason], `after ${requested}, now after ${resumedAfter}`)
}

export function showDeletion({ topics, id }: Deletion): void {
  if (id === undefined) showNotice('All earlier updates of these topics were deleted.', topics.join(', '))
  else showNotice('An update was deleted.', [id, ...topics].join(', '))
}

function showNotice(text: string, details: string): void {
  const item = stamp('#gap')
  const [sentence, ids] = item.children as unknown as [HTMLElement, HTMLElement]
  sentence.textContent = text
  ids.textContent = details
  add(item)
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

export function togglePause(): void {
  if (held) {
    resume()
    return
  }
  held = []
  pauseButton.textContent = 'Resume'
}

export function resume(): void {
  const waiting = held ?? []
  held = undefined
  pauseButton.textContent = 'Pause'
  for (const item of waiting) add(item)
}

export function clear(): void {
  list.replaceChildren()
  if (!held) return
  held = []
  pauseButton.textContent = 'Resume'
}
