// Says a thing at most once a second: what fails again and again is told, but not each time.

const quiet = 1_000

export function throttle<What>(say: (what: What) => void): (what: What) => void {
  let last = -Infinity
  return (what) => {
    if (performance.now() - last < quiet) return
    last = performance.now()
    say(what)
  }
}
