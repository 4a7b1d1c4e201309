// The icons of the page. They are decoration: text next to them says the same.
import type { ComponentChildren } from 'preact'

function icon(shape: ComponentChildren) {
  return () => (
    <svg class="icon" viewBox="0 0 16 16" aria-hidden="true" focusable="false">
      {shape}
    </svg>
  )
}

export const DotIcon = icon(<circle cx="8" cy="8" r="4" class="solid" />)
export const HalfIcon = icon(
  <>
    <circle cx="8" cy="8" r="4.5" />
    <path d="M8 3.5a4.5 4.5 0 0 0 0 9z" class="solid" />
  </>
)
export const CheckIcon = icon(<path d="m3.5 8.5 3 3 6-7" />)
export const CrossIcon = icon(<path d="m4 4 8 8m0-8-8 8" />)
export const DashIcon = icon(<path d="M4 8h8" />)
export const WarnIcon = icon(<path d="M8 2.2 14.4 13.5H1.6zM8 6.5v3.2m0 1.6v.6" />)
export const WaitIcon = icon(<path d="M8 2.5a5.5 5.5 0 1 1-5.5 5.5M8 5v3.2l2 1.6" />)
export const LinkIcon = icon(<path d="M2.5 8h10M9 4.5 12.5 8 9 11.5" />)
export const PlugIcon = icon(<path d="M3 8h4m2 0h4M7 5v6m2-6v6" />)
export const GapIcon = icon(<path d="M2 8h3m6 0h3M6.5 4.5v7m3-7v7" />)
export const EditIcon = icon(<path d="m3 13 .6-2.8 7-7 2.2 2.2-7 7z" />)
export const UpIcon = icon(<path d="m4.5 9.5 3.5-4 3.5 4" />)
export const DownIcon = icon(<path d="m4.5 6.5 3.5 4 3.5-4" />)
export const SunIcon = icon(
  <path d="M8 5.2a2.8 2.8 0 1 1 0 5.6 2.8 2.8 0 0 1 0-5.6M8 1.5v1.2m0 10.6v1.2M1.5 8h1.2m10.6 0h1.2M3.4 3.4l.9.9m7.4 7.4.9.9m0-9.2-.9.9m-7.4 7.4-.9.9" />
)
export const MoonIcon = icon(<path d="M13 9.5A5.5 5.5 0 0 1 6.5 3a5.5 5.5 0 1 0 6.5 6.5z" />)
export const SystemIcon = icon(<path d="M2 3h12v8H2zm4 10.5h4M8 11v2.5" />)

export function Logo() {
  return (
    <svg class="logo" viewBox="0 0 24 24" aria-hidden="true" focusable="false">
      <circle cx="5.5" cy="18.5" r="2.5" />
      <path d="M5 11a8 8 0 0 1 8 8M5 4a15 15 0 0 1 15 15" />
    </svg>
  )
}
