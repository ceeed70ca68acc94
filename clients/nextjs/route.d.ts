/** Who is signed in, as the application knows. */
export interface Person {
  userId: string;
  userName: string;
  /** Jitsi shows it to everybody in the meeting. */
  userEmail?: string | null;
  /** An https URL. */
  userAvatar?: string | null;
  isModerator: boolean;
  /** Epoch seconds; left out: now. */
  notBefore?: number | null;
  /** From then on; left out: the service's default. */
  expirationSeconds?: number | null;
  /** True: without times here, the browser's count. */
  browserTimes?: boolean;
  /** All of them; left out: the browser's, which switch nothing on for a guest. */
  features?: Record<string, boolean> | null;
}

/** Null: nobody is signed in; false: this person may not enter. */
type Identified<T> = T | null | false | Promise<T | null | false>;

interface RouteOptions {
  /** Left out: JITSI_TOKENS_URL, or JITSI_TOKENS_URL_FILE names a file. */
  url?: string;
  /** Left out: JITSI_TOKENS_API_KEY, or JITSI_TOKENS_API_KEY_FILE. */
  apiKey?: string;
  /** The origin that browsers see, where a proxy replaces the Host header. */
  origin?: string;
  /** For the whole of a request; 10 if left out. */
  timeoutSeconds?: number;
  /** Told what an operator has to mend, without secrets; console.error if left out. */
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
