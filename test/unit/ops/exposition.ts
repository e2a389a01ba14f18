// A small check of the Prometheus text format (0.0.4), for what a scraper would refuse or silently merge.

const SAMPLE = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(\{(?:[a-zA-Z_]\w*="(?:[^"\\\n]|\\[\\"n])*",?)*\})? (\S+)( \d+)?$/
const VALUE = /^(?:[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?|[+-]Inf|NaN)$/i

/** Every fault of an exposition, in order of appearance; none: it is well-formed. */
export function expositionFaults(text: string): string[] {
  const errors: string[] = []
  const help = new Set<string>()
  const types = new Map<string, string>()
  const samples = new Set<string>()
  if (!text.endsWith('\n')) errors.push('no newline at the end')
  for (const line of text.split('\n')) {
    if (line === '') continue
    const comment = /^# (HELP|TYPE) (\S+) (.*)$/.exec(line)
    if (comment !== null) {
      const [, kind, name = '', rest = ''] = comment
      if (kind === 'HELP') {
        if (help.has(name)) errors.push(`${name}: HELP twice`)
        help.add(name)
      } else {
        if (types.has(name)) errors.push(`${name}: TYPE twice`)
        types.set(name, rest)
        if (rest === 'counter' && !name.endsWith('_total')) errors.push(`${name}: a counter ends in _total`)
      }
      continue
    }
    const sample = SAMPLE.exec(line)
    if (sample === null) {
      errors.push(`unreadable: ${line}`)
      continue
    }
    const [, name = '', labels = '', value = ''] = sample
    const family = [name, name.replace(/_(?:bucket|sum|count)$/, '')].find((n) => types.has(n))
    if (family === undefined) errors.push(`${name}: no TYPE before its sample`)
    else if (!help.has(family)) errors.push(`${family}: no HELP`)
    if (!VALUE.test(value)) errors.push(`${name}: value ${value}`)
    if (samples.has(name + labels)) errors.push(`${name}${labels}: sample twice`)
    samples.add(name + labels)
  }
  return errors
}
