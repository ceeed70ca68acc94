import type { JitsiMeeting as Frame } from '@jitsi/react-sdk';
import type { ComponentProps, ReactElement } from 'react';

type FrameProps = ComponentProps<typeof Frame>;
type OwnProps = 'domain' | 'roomName' | 'jwt' | 'getIFrameRef' | 'onReadyToClose';

/** The properties of the meeting; those of `@jitsi/react-sdk` that are not named here work too. */
export interface JitsiMeetingProps extends Omit<FrameProps, OwnProps> {
  /** The application's route for tokens, or for joining a visit; `/api/jitsi/jwt` if left out. */
  route?: string;
  /** Needed unless `route` joins a visit. */
  roomName?: string;
  /** Sent to the route, like the three below. It decides by its own session who this is. */
  userId?: string;
  displayName?: string;
  email?: string;
  isModerator?: boolean;
  /** `audio` joins without the camera. */
  sessionType?: 'video' | 'audio';
  /** Called once for each meeting that ends: hung up, removed by a moderator, or left by Jitsi. */
  onMeetingEnd?: () => void;
  /** Other words than those of `MESSAGES`. */
  messages?: Partial<Messages>;
}

export type Messages = Record<
  | 'joining' | 'left' | 'join-again' | 'try-again'
  | 'unauthorized' | 'forbidden' | 'not-found' | 'too-many-requests' | 'unavailable'
  | 'too-early' | 'waiting-for-moderator' | 'visit-over' | 'visit-cancelled'
  | 'offline' | 'not-loaded' | 'failed',
  string
>;

export const MESSAGES: Messages;

export function JitsiMeeting(props: JitsiMeetingProps): ReactElement;
