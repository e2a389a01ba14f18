// Substitutes for fonts that a PDF names but does not embed. For an unknown name fontconfig chooses a font without Thai
// letters, which draws boxes; here it is a font with Thai letters (Debian's fonts-thai-tlwg) and the most similar shape.
// The file is written to fontconfig's per-user path in the tool's home.

import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { ToolContext } from './probe.ts'

/** A part of the requested name, and the substitute. Names in PDFs have no spaces: `THSarabunPSK`. */
const STAND_INS: readonly (readonly [part: string, family: string])[] = [
  ['Sarabun', 'Laksaman'],
  ['Angsana', 'Kinnari'],
  ['Cordia', 'Umpush'],
  ['Browallia', 'Garuda'],
  ['Dillenia', 'Norasi'],
  ['Eucrosia', 'Norasi'],
  ['Freesia', 'Umpush'],
  ['Tahoma', 'Waree'],
  ['Leelawadee', 'Waree'],
  ['MicrosoftSansSerif', 'Loma'],
]

/** For all other names. */
const USUAL: Record<string, readonly string[]> = {
  'sans-serif': ['Loma', 'Garuda', 'Waree'],
  serif: ['Kinnari', 'Norasi'],
  monospace: ['Tlwg Mono'],
}

const families = (names: readonly string[]) => names.map((name) => `<family>${name}</family>`).join('')

const CONFIGURATION = [
  '<?xml version="1.0"?>',
  '<!DOCTYPE fontconfig SYSTEM "urn:fontconfig:fonts.dtd">',
  '<fontconfig>',
  ...STAND_INS.map(
    ([part, family]) =>
      `<match target="pattern"><test name="family" compare="contains"><string>${part}</string></test>` +
      `<edit name="family" mode="append" binding="strong"><string>${family}</string></edit></match>`,
  ),
  ...Object.entries(USUAL).map(
    ([generic, names]) => `<alias><family>${generic}</family><prefer>${families(names)}</prefer></alias>`,
  ),
  '</fontconfig>',
].join('\n')

/** Writes the configuration into the tool's home. @returns the path of the file, which the tool must be allowed to read */
export async function chooseFonts({ cwd }: Pick<ToolContext, 'cwd'>): Promise<string> {
  const folder = join(cwd, '.config', 'fontconfig')
  await mkdir(folder, { recursive: true })
  const path = join(folder, 'fonts.conf')
  await writeFile(path, CONFIGURATION)
  return path
}
