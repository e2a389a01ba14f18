// Whether a picture can be watched. A limit of ours is never the file's fault.

import { describe, expect, it } from 'vitest'
import { judgeSpots } from '../../../workers/lanes/judge-spots.ts'
import type { Spot } from '../../../workers/media/spot-decode.ts'

const spot = (at: Spot['at'], seconds: number, frames: number, limited = false): Spot => ({
  at,
  seconds,
  frames,
  errors: 0,
  limited,
})
const three = (first: number, middle: number, last: number): Spot[] => [
  spot('first', 0, first),
  spot('middle', 30, middle),
  spot('last', 58, last),
]

describe('judgeSpots', () => {
  it('finds a picture that shows everywhere', () => {
    expect(judgeSpots(three(50, 50, 50), [], 60)).toEqual({ decodable: true, signals: {} })
  })

  it('finds none that shows nowhere', () => {
    expect(judgeSpots(three(0, 0, 0), [], 60).decodable).toBe(false)
  })

  it('takes a spot without a frame for a hole, and says where', () => {
    expect(judgeSpots(three(50, 0, 50), [], 60)).toEqual({
      decodable: true,
      signals: { gaps: [{ startSeconds: 30, seconds: 2 }] },
    })
    const known = { startSeconds: 20, seconds: 18.04 }
    expect(judgeSpots(three(50, 0, 50), [known], 60).signals).toEqual({ gaps: [{ startSeconds: 20, seconds: 18 }] })
  })

  it('refuses what breaks off, and what is mostly missing', () => {
    expect(judgeSpots(three(50, 0, 0), [{ startSeconds: 30, seconds: 30 }], 60).decodable).toBe(false)
    expect(judgeSpots(three(50, 0, 50), [{ startSeconds: 5, seconds: 45 }], 60).decodable).toBe(false)
    expect(judgeSpots(three(50, 0, 50), [{ startSeconds: 15, seconds: 30 }], 60).decodable).toBe(true)
  })

  it('knows nothing of a spot that came to a limit of ours', () => {
    const limited = [spot('first', 0, 0, true), spot('middle', 30, 0, true)]
    expect(judgeSpots(limited, [], 60)).toEqual({ signals: { unchecked: true } })
    expect(judgeSpots([...limited, spot('last', 58, 12)], [], 60)).toEqual({ decodable: true, signals: {} })
    expect(judgeSpots([spot('first', 0, 3, true)], [], 60)).toEqual({ decodable: true, signals: {} })
  })
})
