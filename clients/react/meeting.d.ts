import type { JitsiMeeting as Frame } from '@jitsi/react-sdk';
import type { ComponentProps, ReactElement } from 'react';

type FrameProps = ComponentProps<typeof Frame>;
type OwnProps = 'domain' | 'roomName' | 'jwt' | 'getIFrameRef' | 'onReadyToClose';

/** All other properties go to `@jitsi/react-sdk`. */
export interface JitsiMeetingProps extends Omit<FrameProps, OwnProps> {
  /** The application's route for tokens, or for joining a visit; default: `/api/jitsi/jwt`. */
  route?: string;
  /** Needed unless `route` joins a visit. */
  roomName?: string;
  /** Sent to the route, as are the next three. The route decides by its session who this is. */
  userId?: string;
  displayName?: string;
  email?: string;
  isModerator?: boolean;
  /** `audio` joins without the camera. */
  sessionType?: 'video' | 'audio';
  /** Called once for each meeting, when it ends: after hanging up, being removed, or a reload. */
  onMeetingEnd?: () => void;
  /** Replaces any of `MESSAGES`. */
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
