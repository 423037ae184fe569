import { Anchor, type AnchorProps } from '@mantine/core'
import { createLink } from '@tanstack/react-router'
import type { ComponentPropsWithRef } from 'react'

type Props = AnchorProps & Omit<ComponentPropsWithRef<'a'>, keyof AnchorProps>

/** A link to a page, in a text: its address is checked as those of the router are. */
export const TextLink = createLink((props: Props) => <Anchor size="sm" {...props} />)
