// The tables of docs/fleet.md, from the calculator itself.
// `npx tsx test/support/fleet-docs.ts` writes them; a test fails if they differ.

import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { evening } from '../../tools/fleet/evening.ts'
import { figureRows, loadFigures } from '../../tools/fleet/figures.ts'
import { planFleet } from '../../tools/fleet/plan.ts'
import { simulate } from '../../tools/fleet/simulate.ts'
import { planRows } from '../../tools/fleet/table.ts'

const PATH = join(import.meta.dirname, '../../docs/fleet.md')
const SIZES = [10_000, 50_000, 500_000]
const MINUTES = 240

/** One column per size of evening. */
export function fleetTable(): string {
  const figures = loadFigures()
  const columns = SIZES.map((teachers) => {
    const curves = evening(teachers, MINUTES, figures)
    const plan = planFleet(teachers, curves, figures)
    return planRows(plan, simulate(plan, curves, figures, MINUTES))
  })
  const names = columns[0]?.map(([what]) => what) ?? []
  const rows = names.map((what, row) => {
    const cells = columns.map((column) => (column[row]?.[1] ?? '').replaceAll('|', '\\|'))
    return `| ${what} | ${cells.join(' | ')} |`
  })
  return ['| | small | cell | all |', '|---|---|---|---|', ...rows].join('\n')
}

/** Every figure with its source. */
export function figureTable(): string {
  const rows = figureRows().map(([name, value, source]) => `| \`${name}\` | ${short(value)} | ${source} |`)
  return ['| Figure | Value | Source |', '|---|---|---|', ...rows].join('\n')
}

function short(value: string): string {
  return value.startsWith('[') ? 'see `figures.json`' : value
}

/** The page with new tables. */
export function fleetPage(): string {
  const replaced = (page: string, name: string, table: string) =>
    page.replace(
      new RegExp(`(<!-- ${name} -->\\n)[\\s\\S]*?(<!-- end of ${name} -->)`),
      (_all, begin: string, end: string) => `${begin}\n${table}\n\n${end}`,
    )
  return replaced(replaced(fleetPageOnDisk(), 'plan', fleetTable()), 'figures', figureTable())
}

export function fleetPageOnDisk(): string {
  return readFileSync(PATH, 'utf8')
}

if (process.argv[1] === import.meta.filename) writeFileSync(PATH, fleetPage())
