// Shared by encodes and posters: sizes, and the conversion from high dynamic range to BT.709.

import type { VideoStream } from './video-stream.ts'

export type Size = { width: number; height: number }

/** Largest side in H.264 level 5.2, the highest level that hardware plays. */
const MAX_LONG_SIDE_PX = 4096

/** Fits a picture, as displayed, to a short side: even sides (4:2:0 needs them), aspect kept, never enlarged. */
export function fitSize(video: VideoStream, maxShortSidePx: number): Size {
  const { displayWidth: width, displayHeight: height } = video
  const scale = Math.min(1, maxShortSidePx / Math.min(width, height), MAX_LONG_SIDE_PX / Math.max(width, height))
  // The small addend keeps 719.9999… from becoming 718.
  const even = (side: number): number => Math.max(2, Math.floor((side * scale) / 2 + 1e-6) * 2)
  return { width: even(width), height: even(height) }
}

/** Colour parameters of an HDR picture. */
export type ToneMap = { transfer: string; primaries: string; matrix: string }

/** Null for ordinary pictures. Missing values are set to BT.2020, because zscale needs them. */
export function toneMapOf(video: VideoStream): ToneMap | null {
  if (!video.hdr) return null
  return {
    transfer: video.colorTransfer ?? 'smpte2084',
    primaries: video.colorPrimaries ?? 'bt2020',
    matrix: video.colorSpace ?? 'bt2020nc',
  }
}

/** ffmpeg filters that convert an HDR picture to BT.709; none for others. Run them after scaling, because they are slow. */
export function toneMapFilters(tone: ToneMap | null): string[] {
  if (tone === null) return []
  return [
    `zscale=tin=${tone.transfer}:pin=${tone.primaries}:min=${tone.matrix}:rin=tv:t=linear:npl=100`,
    'format=gbrpf32le',
    'zscale=p=bt709',
    'tonemap=hable:desat=0',
    'zscale=t=bt709:m=bt709:r=tv',
  ]
}
