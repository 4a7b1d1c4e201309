// A labelled field for a line of text, as forms of the dashboard have it.
interface TextFieldProps {
  readonly label: string
  readonly value: string
  readonly placeholder: string
  /** Whether the form needs a value; otherwise the label says that it is optional. */
  readonly required?: boolean
  readonly onInput: (value: string) => void
}

export function TextField({ label, value, placeholder, required = false, onInput }: TextFieldProps) {
  return (
    <label class="field">
      <span>
        {label}
        {!required && <span class="soft"> optional</span>}
      </span>
      <input
        value={value}
        required={required}
        spellcheck={false}
        autoComplete="off"
        placeholder={placeholder}
        onInput={(event) => onInput(event.currentTarget.value)}
      />
    </label>
  )
}
