// Limits how long something is waited for.

/** The result of a promise, or that of `late`, which is called after so many milliseconds. What the promise becomes later is ignored. */
export async function within<Result>(ms: number, promise: Promise<Result>, late: () => Result): Promise<Result> {
  let timer: NodeJS.Timeout | undefined
  const overdue = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, ms)
  }).then(late)
  overdue.catch(() => {})
  try {
    return await Promise.race([promise, overdue])
  } finally {
    clearTimeout(timer)
  }
}
