// Makes the JSON log lines of processes readable for people.

const HIDDEN = new Set(['level', 'time', 'pid', 'hostname', 'name', 'msg', 'err', 'v'])
const COLOURS = { trace: 90, debug: 90, info: 36, warn: 33, error: 31, fatal: 31 }

const colour = (code, text) => `\u001b[${code}m${text}\u001b[0m`

function parse(line) {
  if (!line.startsWith('{')) return undefined
  try {
    return JSON.parse(line)
  } catch {
    return undefined // not a log line
  }
}

function fields(entry) {
  return Object.entries(entry)
    .filter(([key, value]) => !HIDDEN.has(key) && value !== undefined)
    .map(([key, value]) => `${key}=${typeof value === 'string' ? value : JSON.stringify(value)}`)
    .join(' ')
}

/** One line of a process's output for a terminal. A line that is not JSON is kept, with the process's name. */
export function pretty(name, line) {
  const entry = parse(line)
  const label = name.padEnd(7)
  if (entry === undefined) return `${colour(90, `         ${label}`)} ${line}`
  const at = new Date(entry.time ?? Date.now())
  const clock = Number.isNaN(at.getTime()) ? '        ' : at.toTimeString().slice(0, 8)
  const level = String(entry.level)
  const text = [
    colour(90, `${clock} ${label}`),
    colour(COLOURS[level] ?? 36, level.padEnd(5)),
    entry.msg ?? '',
    colour(90, fields(entry)),
  ].join(' ')
  const stack = entry.err?.stack ?? entry.err?.message
  return stack === undefined ? text.trimEnd() : `${text.trimEnd()}\n${stack}`
}

/** Prints a line of a process: readable on a terminal; unchanged elsewhere, where programs read it. */
export function show(name, line, isError) {
  if (process.stdout.isTTY) process.stdout.write(`${pretty(name, line)}\n`)
  else if (isError) process.stderr.write(`${line}\n`)
  else process.stdout.write(`${line}\n`)
}

/** Calls `onLine` for every line of a stream, also for a last one without a line end. */
export function eachLine(stream, onLine) {
  let rest = ''
  stream.setEncoding('utf8')
  stream.on('data', (chunk) => {
    const lines = (rest + chunk).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) onLine(line)
  })
  stream.on('end', () => {
    if (rest !== '') onLine(rest)
  })
}
