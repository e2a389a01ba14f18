import { pino } from 'pino'
import { expect, test } from 'vitest'
import { SocketReading } from '../../../src/uploads/socket-reading.ts'

test('works here', async () => {
  const lines: string[] = []
  const logger = pino({}, { write: (line: string) => void lines.push(line) })
  const reading = new SocketReading(true, logger as never)
  await reading.start()
  expect(lines).toEqual([])
  expect(reading.works).toBe(true)
})
