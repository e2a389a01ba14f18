// Samples of an exposition, for tests that look at figures.

/** The sum over all samples of a name whose labels hold every one of `labels`. */
export function sumOf(text: string, name: string, labels: Record<string, string>): number {
  let sum = 0
  for (const line of text.split('\n')) {
    const sample = /^(\w+)(?:\{(.*)\})? (\S+)$/.exec(line)
    if (sample === null || sample[1] !== name) continue
    const fits = Object.entries(labels).every(([label, wanted]) => sample[2]?.includes(`${label}="${wanted}"`))
    if (fits) sum += Number(sample[3])
  }
  return sum
}
