// `node scripts/setup.mjs [--tests]`: system tools, npm packages, build. `npm start` and `npm test` do it by themselves.

import { main } from './lib/log.mjs'
import { setUp } from './lib/setup.mjs'
import { versitygwNeedsPython } from './lib/versitygw.mjs'

const tests = process.argv.includes('--tests')
await main(async () => {
  await setUp({ tools: { tests, python: tests && (await versitygwNeedsPython()) } })
}, 'node scripts/setup.mjs [--tests]     installs what is missing and builds; --tests: what the tests use as well')
