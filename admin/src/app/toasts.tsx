import { Notifications } from '@mantine/notifications'
import { useEffect } from 'react'

const BOX = '.mantine-Notifications-root[data-position="bottom-right"]'
const GAP_PX = 8
/** Of the window: what is more lies over the page, which would else have no room itself. */
const MOST = 0.5

/**
 * What has been done or has failed, at the lower edge. Nothing lies beneath: pages and dialogs end above them (`--toast-room`), so
 * that each button can be reached while they stay, and the one with the focus is seen.
 */
export function Toasts() {
  useEffect(() => {
    const box = document.querySelector(BOX)
    if (!box) return
    const observer = new ResizeObserver(() => {
      const { top, height } = box.getBoundingClientRect()
      const room = height === 0 ? 0 : Math.min(Math.ceil(innerHeight - top) + GAP_PX, innerHeight * MOST)
      document.documentElement.style.setProperty('--toast-room', `${room}px`)
      const focused = document.activeElement
      const at = focused?.getBoundingClientRect()
      if (at && at.top < innerHeight && at.bottom > innerHeight - room) focused?.scrollIntoView({ block: 'nearest' })
    })
    observer.observe(box)
    return () => observer.disconnect()
  }, [])
  return <Notifications position="bottom-right" limit={3} withinPortal={false} />
}
