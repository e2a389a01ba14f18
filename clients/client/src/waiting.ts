// Waiting that a signal ends, and signals that end with others. (`AbortSignal.any` is missing in browsers of 2023.)

/** Resolves after the time. Rejects with the signal's reason, once it is aborted. */
export function pause(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    signal?.throwIfAborted()
    const onAbort = () => {
      clearTimeout(timer)
      reject(signal?.reason)
    }
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', onAbort)
      resolve()
    }, ms)
    signal?.addEventListener('abort', onAbort, { once: true })
  })
}

export type Limited = {
  readonly signal: AbortSignal
  /** Begins the time anew, or another one. */
  extend(ms: number): void
  /** Aborts it, and lets go of timer and outer signal. */
  end(): void
}

/** A signal that is aborted with `outer`, or when the time is over. */
export function limited(outer: AbortSignal | undefined, ms: number): Limited {
  outer?.throwIfAborted()
  const controller = new AbortController()
  const onAbort = () => controller.abort(outer?.reason)
  outer?.addEventListener('abort', onAbort, { once: true })
  const expire = (inMs: number) => setTimeout(() => controller.abort(new Error(`no answer within ${inMs} ms`)), inMs)
  let timer = expire(ms)
  return {
    signal: controller.signal,
    extend(inMs) {
      clearTimeout(timer)
      timer = expire(inMs)
    },
    end() {
      clearTimeout(timer)
      outer?.removeEventListener('abort', onAbort)
      controller.abort()
    },
  }
}
