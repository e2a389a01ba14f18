// `npm run sbom`: the software bill of materials of the production packages, as CycloneDX JSON on stdout.
//
// npm can omit development packages (--omit=dev), but then it also omits packages that production shares with
// them. So all are requested, and those that npm marks as development only are removed here.

import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { main, Refusal } from './lib/log.mjs'
import { ROOT } from './lib/paths.mjs'

const NPM = ['sbom', '--sbom-format=cyclonedx', '--package-lock-only']
const DEVELOPMENT = 'cdx:npm:package:development'

async function everything() {
  try {
    const { stdout } = await promisify(execFile)('npm', NPM, { cwd: ROOT, maxBuffer: 64 * 1024 ** 2 })
    return JSON.parse(stdout)
  } catch (error) {
    throw new Refusal(`npm ${NPM.join(' ')} failed:\n${error.stderr || error.message}`)
  }
}

/** Without the packages that only development needs, and without their dependency entries. */
function productionOnly(bom) {
  const isNeeded = ({ properties = [] }) =>
    !properties.some(({ name, value }) => name === DEVELOPMENT && value === 'true')
  const components = bom.components.filter(isNeeded)
  const known = new Set([bom.metadata.component, ...components].map((component) => component['bom-ref']))
  const dependencies = bom.dependencies
    .filter(({ ref }) => known.has(ref))
    .map(({ ref, dependsOn = [] }) => ({ ref, dependsOn: dependsOn.filter((other) => known.has(other)) }))
  return { ...bom, components, dependencies }
}

await main(
  async () => {
    process.stdout.write(`${JSON.stringify(productionOnly(await everything()), null, 2)}\n`)
  },
  `npm run sbom

Prints the software bill of materials of the production packages (CycloneDX, JSON).`,
)
