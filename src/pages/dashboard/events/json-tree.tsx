// A JSON value as a tree that can be folded. Other text is shown as it is.
const openLevels = 1
const maxChildren = 200

export function Payload({ text }: { readonly text: string }) {
  const value = parse(text)
  if (value === undefined || typeof value !== 'object' || value === null) return <pre class="payload">{text}</pre>
  return (
    <div class="payload tree">
      <Node value={value} level={0} />
    </div>
  )
}

function parse(text: string): unknown {
  if (!/^\s*[[{]/.test(text)) return undefined
  try {
    return JSON.parse(text) as unknown
  } catch {
    return undefined
  }
}

interface NodeProps {
  readonly name?: string
  readonly value: unknown
  readonly level: number
}

function Node({ name, value, level }: NodeProps) {
  const label = name !== undefined && <span class="key">{name}: </span>
  if (typeof value !== 'object' || value === null) {
    return (
      <div>
        {label}
        <span class={`value ${value === null ? 'null' : typeof value}`}>{JSON.stringify(value)}</span>
      </div>
    )
  }
  const entries = Object.entries(value)
  const size = Array.isArray(value) ? `[${entries.length}]` : `{${entries.length}}`
  if (entries.length === 0) {
    return (
      <div>
        {label}
        <span class="soft">{size}</span>
      </div>
    )
  }
  return (
    <details open={level < openLevels}>
      <summary>
        {label}
        <span class="soft">{size}</span>
      </summary>
      {entries.slice(0, maxChildren).map(([key, child]) => (
        <Node key={key} name={key} value={child} level={level + 1} />
      ))}
      {entries.length > maxChildren && <div class="soft">… and {entries.length - maxChildren} more</div>}
    </details>
  )
}
