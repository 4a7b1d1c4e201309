// Keys of the whole page: `/` moves the focus to the filter of the view.
export function focusFilter(event: KeyboardEvent): void {
  if (event.key !== '/' || event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return
  const filter = document.querySelector<HTMLInputElement>('[data-filter]')
  if (!filter || document.querySelector('dialog[open]')) return
  event.preventDefault()
  filter.focus()
  filter.select()
}

function isTyping(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && target.closest('input, textarea, select') !== null
}
