import { describe, expect, it, vi } from 'vitest'
import { type ProgressBlock, progressMeter, progressParser } from '../../../../workers/media/progress.ts'

const block = (micros: string, frames: number, state = 'continue'): string =>
  `frame=${frames}\nfps=25.0\ntotal_size=N/A\nout_time_us=${micros}\nout_time=x\nspeed=2.5x\nprogress=${state}\n`

describe('progressParser', () => {
  it('reads blocks however the pipe cuts them', () => {
    const blocks: ProgressBlock[] = []
    const push = progressParser(
      (b) => blocks.push(b),
      () => {},
    )
    const bytes = block('1500000', 37) + block('4000000', 100, 'end')
    for (const byte of bytes) push(Buffer.from(byte))
    expect(blocks).toEqual([
      { outSeconds: 1.5, frames: 37, outBytes: null, speed: 2.5, end: false },
      { outSeconds: 4, frames: 100, outBytes: null, speed: 2.5, end: true },
    ])
  })

  it('treats what ffmpeg prints before the first packet as unknown', () => {
    const blocks: ProgressBlock[] = []
    const push = progressParser(
      (b) => blocks.push(b),
      () => {},
    )
    push(Buffer.from(block('N/A', 0) + block('-9223372036854775808', 0)))
    expect(blocks.map((b) => b.outSeconds)).toEqual([null, null])
  })

  it('reports progress only if a value has increased, because a hung tool may still print', () => {
    const onAdvance = vi.fn()
    const push = progressParser(() => {}, onAdvance)
    push(Buffer.from(block('1000000', 25)))
    push(Buffer.from(block('1000000', 25)))
    push(Buffer.from(block('1000000', 25)))
    expect(onAdvance).toHaveBeenCalledTimes(1)
    push(Buffer.from(block('1000000', 26)))
    expect(onAdvance).toHaveBeenCalledTimes(2)
  })
})

describe('progressMeter', () => {
  const at = (outSeconds: number | null): ProgressBlock => ({
    outSeconds,
    frames: null,
    outBytes: null,
    speed: null,
    end: false,
  })

  it('computes percent and remaining time from the measured duration', () => {
    let now = 0
    const meter = progressMeter(100, () => now)
    now = 10_000
    expect(meter(at(25))).toEqual({ percent: 25, etaSeconds: 30 })
  })

  it('never decreases, is never 100 before the output is verified, and never NaN', () => {
    let now = 0
    const meter = progressMeter(10, () => now)
    now = 1000
    expect(meter(at(null))).toEqual({ percent: 0, etaSeconds: null })
    expect(meter(at(8)).percent).toBe(80)
    expect(meter(at(3)).percent).toBe(80)
    expect(meter(at(400)).percent).toBe(99.9)
    expect(progressMeter(0, () => now)(at(5))).toEqual({ percent: 0, etaSeconds: null })
  })
})
