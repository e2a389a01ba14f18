// A program of its own that runs an endless ffmpeg through the runner, to be killed by a test.
// Arguments: scratch folder, a token that marks ffmpeg's command line.

import { commonArgs, createRunner } from '../../../workers/media/run.ts'

const [cwd = '', token = ''] = process.argv.slice(2)
const runner = await createRunner()
await runner.run({
  tool: 'ffmpeg',
  args: [
    commonArgs('error'),
    ['-re', '-f', 'lavfi', '-i', 'nullsrc=s=16x16:r=5'],
    ['-metadata', `title=${token}`],
    ['-f', 'null', '-'],
  ].flat(),
  limits: { wallMs: 120_000, cpuSeconds: 60, memoryBytes: 2 * 1024 ** 3, outputBytes: 1024, fileBytes: 1024 },
  cwd,
  onProgress: () => process.stdout.write('running\n'),
})
