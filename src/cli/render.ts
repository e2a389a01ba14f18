// Text for a terminal: tables, amounts and durations.

export type Cell = string | number | null | undefined

/** A table with two spaces between columns, and a head if given. Empty cells are `-`. */
export function tableLines(rows: readonly (readonly Cell[])[], head?: readonly string[]): string[] {
  const filled = rows.map((row) =>
    row.map((cell) => (cell === null || cell === undefined || cell === '' ? '-' : String(cell))),
  )
  const all = [...(head === undefined ? [] : [head]), ...filled]
  const widths: number[] = []
  for (const row of all) for (const [i, cell] of row.entries()) widths[i] = Math.max(widths[i] ?? 0, columnsOf(cell))
  return all.map((row) =>
    row
      .map((cell, i) => padded(cell, widths[i] ?? 0))
      .join('  ')
      .trimEnd(),
  )
}

/** Width on a terminal: Thai vowels and tone marks above or below a letter take no column. @internal */
export function columnsOf(text: string): number {
  return [...text.replace(/\p{Mn}/gu, '')].length
}

function padded(text: string, width: number): string {
  return text + ' '.repeat(Math.max(0, width - columnsOf(text)))
}

/** Steps of 1024, as the console, the alerts and the configuration have them. */
export function bytesInWords(bytes: number | null): string {
  if (bytes === null) return '?'
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB']
  let value = bytes
  let unit = 0
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024
    unit++
  }
  return `${unit === 0 ? value : value.toFixed(1)} ${units[unit]}`
}

export function timeInWords(ms: number): string {
  const s = Math.round(ms / 1000)
  if (s < 60) return `${s} s`
  if (s < 3600) return `${Math.floor(s / 60)} min${s % 60 === 0 ? '' : ` ${s % 60} s`}`
  const minutes = Math.floor((s % 3600) / 60)
  return `${Math.floor(s / 3600)} h${minutes === 0 ? '' : ` ${minutes} min`}`
}
