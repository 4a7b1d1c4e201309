// Every option with its effective value, its default, and where the value comes from.
import { useState } from 'preact/hooks'
import type { ConfigList, OptionRow } from '../../../dashboard-api/server.ts'
import { usePolled } from '../data/polled.ts'
import { apiUrl } from '../data/urls.ts'
import { Filter } from '../ui/filter.tsx'
import { plural } from '../ui/format.ts'
import { Failure } from '../ui/parts.tsx'

const refreshMs = 10_000

export function Configuration() {
  const { value, error } = usePolled<ConfigList>(apiUrl('config'), refreshMs)
  const [filter, setFilter] = useState('')
  const [onlyChanged, setOnlyChanged] = useState(false)
  const options = value?.options ?? []
  const changed = options.filter(({ isDefault }) => !isDefault).length
  const shown = options.filter((option) => (!onlyChanged || !option.isDefault) && matches(option, filter))
  return (
    <section class="configuration" aria-labelledby="config-title">
      <div class="bar">
        <h2 id="config-title">Configuration</h2>
        <Filter label="Filter options" value={filter} onInput={setFilter} />
        <label class="choice">
          <input
            type="checkbox"
            checked={onlyChanged}
            onChange={(event) => setOnlyChanged(event.currentTarget.checked)}
          />
          only differences from the default
        </label>
        {value && (
          <p class="soft end" role="status">
            {shown.length} of {plural(options.length, 'option')}, {changed} {changed === 1 ? 'differs' : 'differ'} from
            the default
          </p>
        )}
      </div>
      <Failure error={error} />
      {value && options.length === 0 && (
        <p class="empty">The hub is part of another application, which configures it. There are no options to show.</p>
      )}
      {options.length > 0 && <Options options={shown} />}
    </section>
  )
}

function matches({ name, flag, variable, value, help, section }: OptionRow, filter: string): boolean {
  const text = filter.toLowerCase()
  return [name, flag, variable, value, help, section].some((field) => field.toLowerCase().includes(text))
}

function Options({ options }: { readonly options: readonly OptionRow[] }) {
  const sections = [...new Set(options.map(({ section }) => section))]
  if (options.length === 0) return <p class="empty">No option matches.</p>
  return (
    <div class="scroller" role="group" aria-labelledby="config-title" tabIndex={0}>
      <table class="options">
        <thead>
          <tr>
            <th scope="col">Option</th>
            <th scope="col">Value</th>
            <th scope="col">Default</th>
            <th scope="col">Origin</th>
            <th scope="col">Change needs</th>
          </tr>
        </thead>
        {sections.map((section) => (
          <tbody key={section}>
            <tr>
              <th class="section" colSpan={5} scope="rowgroup">
                {section}
              </th>
            </tr>
            {options
              .filter((option) => option.section === section)
              .map((option) => (
                <Row key={option.name} option={option} />
              ))}
          </tbody>
        ))}
      </table>
    </div>
  )
}

function Row({ option }: { readonly option: OptionRow }) {
  const { flag, variable, value, default: byDefault, origin, source, isDefault, reload, help } = option
  return (
    <tr data-changed={!isDefault}>
      <th scope="row" class="text">
        <code title={variable}>{flag}</code>
        <span class="hint">{help}</span>
      </th>
      <td class="text">
        <code>{value === '' ? '(empty)' : value}</code>
        {!isDefault && <span class="badge">differs</span>}
      </td>
      <td class="text soft">
        <code>{byDefault === '' ? '(empty)' : byDefault}</code>
      </td>
      <td class="text">{source ?? origin}</td>
      <td>{reload ? 'SIGHUP' : 'restart'}</td>
    </tr>
  )
}
