// Plots and figures of the report.

import { describe, expect, it } from 'vitest'
import { niceTop, plotSvg } from '../../../../tools/rehearse/report/plot.ts'
import { quantiles, thinned } from '../../../../tools/rehearse/report/series.ts'

describe('series', () => {
  it('keep their peaks when they are thinned', () => {
    const points = Array.from({ length: 1000 }, (_, i) => [i, i === 501 ? 99 : 1] as const)
    const few = thinned(points, 100)
    expect(few.length).toBe(100)
    expect(Math.max(...few.map(([, value]) => value))).toBe(99)
  })
  it('are made of moments, window by window', () => {
    const moments = [
      [0, 1],
      [1, 3],
      [1.5, 2],
      [7, 9],
    ] as const
    expect(quantiles('x', moments, 5)).toEqual({
      'x: p50': [
        [2.5, 2],
        [7.5, 9],
      ],
      'x: p95': [
        [2.5, 3],
        [7.5, 9],
      ],
    })
    expect(quantiles('x', [], 5)).toEqual({})
  })
})

describe('plot', () => {
  it('has round values at its lines', () => {
    expect([0, 0.7, 3, 41, 100, 950].map(niceTop)).toEqual([1, 0.8, 4, 60, 100, 1000])
  })
  it('draws curves, shades faults, and cannot be broken by names', () => {
    const curves = [
      {
        name: 'a<b',
        points: [
          [0, 0],
          [10, 5],
        ] as const,
      },
    ]
    const marks = [{ name: 'killed', fromMs: 2000, toMs: 4000, held: false }]
    const svg = plotSvg({ title: 'T', unit: 's', curves, limit: 4 }, { seconds: 10, marks })
    expect(svg).toContain('M52.0 206.0L608.0')
    expect(svg).toContain('class="fault"')
    expect(svg).toContain('class="limit"')
    expect(svg).not.toContain('a<b')
  })
})
