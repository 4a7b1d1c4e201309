// The filter of a view, and the key `/`, which moves the focus to it.
interface FilterProps {
  /** What it filters by, such as "Filter topics". */
  readonly label: string
  readonly value: string
  readonly onInput: (text: string) => void
}

export function Filter({ label, value, onInput }: FilterProps) {
  return (
    <input
      type="search"
      class="filter"
      data-filter
      aria-label={label}
      placeholder={`${label}  ( / )`}
      value={value}
      spellcheck={false}
      onInput={(event) => onInput(event.currentTarget.value)}
    />
  )
}

/** Handles a key of the whole page. */
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
