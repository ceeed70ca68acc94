/** Who is signed in, as the application knows. */
export interface Person {
  userId: string;
  userName: string;
  /** Jitsi shows it to everybody in the meeting. */
  userEmail?: string | null;
  /** An https URL. */
  userAvatar?: string | null;
  isModerator: boolean;
  /** Epoch seconds; default: now. */
  notBefore?: number | null;
  /** From then on; default: the service's. */
  expirationSeconds?: number | null;
  /** True: the browser may choose both times, if neither is given here. */
  browserTimes?: boolean;
  /** All of them; default: the browser's, which switch nothing on for a guest. */
  features?: Record<string, boolean> | null;
}

/** Null: nobody is signed in; false: this person may not enter. */
type Identified<T> = T | null | false | Promise<T | null | false>;

interface RouteOptions {
  /** Default: JITSI_TOKENS_URL, or what the file holds that JITSI_TOKENS_URL_FILE names. */
  url?: string;
  /** Default: JITSI_TOKENS_API_KEY, or what the file holds that JITSI_TOKENS_API_KEY_FILE names. */
  apiKey?: string;
  /** The site's own, `https://app.example`, if a proxy replaces the Host header. */
  origin?: string;
  /** For a whole request; default: 10. */
  timeoutSeconds?: number;
  /** Called with what an operator has to fix, without secrets; default: console.error. */
  report?: (sentence: string) => void;
}

export interface JitsiRouteOptions extends RouteOptions {
  /**
   * Who is asking, from the application's own session. The request has headers and cookies; its
   * body has been read. The room's name is as foldedRoomName() returns it.
   */
  identify: (request: Request, roomName: string) => Identified<Person>;
}

export interface JoinRouteOptions<Context> extends RouteOptions {
  /** Which visit, and who in it, by the ids that the service knows. */
  identify: (
    request: Request,
    context: Context,
  ) => Identified<{ visitId: string; participantId: string }>;
}

/** Make the handlers for `app/api/jitsi/jwt/route.js`. */
export function jitsiRoute(options: JitsiRouteOptions): {
  GET: () => Promise<Response>;
  POST: (request: Request) => Promise<Response>;
};

/** Make the handler of a route that joins a visit, `app/api/visits/[id]/join/route.js`. */
export function joinRoute<Context = { params: Promise<Record<string, string>> }>(
  options: JoinRouteOptions<Context>,
): { POST: (request: Request, context: Context) => Promise<Response> };

/**
 * The form in which Jitsi compares rooms: `Visit 7` and `visit%207` are one, `visit%207`.
 *
 * @throws URIError it holds a lone surrogate.
 */
export function foldedRoomName(name: string): string;
