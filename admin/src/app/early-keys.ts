/*
 * Whoever opens the palette goes on typing at once, while it is still being loaded and opened: without this the first letters
 * would go to the page below, or nowhere.
 */

/** The palette does not come: what is typed belongs to the page again. */
const LONGEST_MS = 10_000

let held = ''
let letGo: (() => void) | undefined

/** Keeps what is typed from now on for the input that is about to have the focus. Where that is there, nothing is to be kept. */
export function holdKeys(): void {
  if (document.querySelector('[data-palette]')) return
  letGo?.()
  held = ''
  const hold = (event: KeyboardEvent) => {
    const isCommand = (event.ctrlKey || event.metaKey || event.altKey) && !event.getModifierState('AltGraph')
    if (isCommand || event.isComposing) return
    if (event.key === 'Escape') return stop()
    if (event.key === 'Backspace') held = held.slice(0, -1)
    else if ([...event.key].length === 1) held += event.key
    else return
    event.preventDefault()
    event.stopImmediatePropagation()
  }
  const timer = setTimeout(() => stop(), LONGEST_MS)
  const stop = () => {
    clearTimeout(timer)
    window.removeEventListener('keydown', hold, true)
    window.removeEventListener('pointerdown', stop, true)
    letGo = undefined
  }
  window.addEventListener('keydown', hold, true)
  window.addEventListener('pointerdown', stop, true)
  letGo = stop
}

/** Gives what was kept to the input that has the focus now, as if it had been typed there. */
export function releaseKeys(input: HTMLInputElement): void {
  letGo?.()
  if (held === '') return
  // Past React, which takes a value that it has set itself for old news.
  Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, 'value')?.set?.call(input, input.value + held)
  held = ''
  input.dispatchEvent(new Event('input', { bubbles: true }))
}
