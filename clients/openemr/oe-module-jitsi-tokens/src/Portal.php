<?php

declare(strict_types=1);

namespace JitsiTokens\OpenEMR;

/** The patient's side: the card on the portal's home, and public/portal.php. */
final class Portal
{
    private const DAYS_AHEAD = 14;

    /** A link that holds no secret: it leads through the portal's login. */
    public static function address(int $eid, string $date): string
    {
        $query = http_build_query(['site' => Host::site(), 'eid' => $eid, 'date' => $date]);
        return Module::address('portal.php') . "?{$query}";
    }

    public static function showCard(): void
    {
        global $pid;    // of portal/verify_session.php: right in each release
        $today = new \DateTimeImmutable('today', Settings::zone());
        $last = $today->modify('+' . self::DAYS_AHEAD . ' days');
        $visits = (int) $pid > 0
            ? Calendar::between($today->format('Y-m-d'), $last->format('Y-m-d'), (int) $pid)
            : [];
        $visits = array_filter($visits, static fn (Visit $visit): bool =>
            $visit->refusal() === null && $visit->closesAt() > time());
        if ($visits !== []) {
            Module::show('portal-card', ['visits' => $visits, 'token' => Host::csrfToken()]);
        }
    }

    /** @param int $pid whom the portal's session is of */
    public static function answer(int $pid): void
    {
        $visit = null;
        $isPost = ($_SERVER['REQUEST_METHOD'] ?? '') === 'POST';
        try {
            $visit = self::visit($pid, $isPost ? $_POST : $_GET);
            if ($isPost) {
                self::open($visit);
            } else {
                Module::show('portal-page', ['sentence' => null, 'visit' => $visit]);
            }
        } catch (Refused $refused) {
            $asked = Calendar::asked($isPost ? $_POST : $_GET);
            $what = $asked ? " pc_eid {$asked[0]} on {$asked[1]}" : '';
            Host::audit(false, "refused: {$refused->getMessage()}{$what}", $pid);
            http_response_code($refused->status);
            Module::show('portal-page', ['sentence' => $refused->getMessage(), 'visit' => null]);
        }
    }

    /** @throws Refused */
    private static function visit(int $pid, array $form): Visit
    {
        $asked = Calendar::asked($form);
        if ($asked === null || !Settings::areComplete()) {
            throw new Refused(400, 'Open the visit from the portal.');
        }
        // Of another patient it is found as little as one that does not exist.
        $visit = Calendar::find($asked[0], $asked[1], $pid);
        // Without a patient OpenEMR finds everybody's.
        if ($visit === null || $visit->pid !== $pid) {
            throw new Refused(404, 'You have no such video visit.');
        }
        if ($visit->refusal() !== null) {
            $isStaffs = $visit->closing() === null;
            $sentence = $isStaffs ? 'Please call us about this visit.' : $visit->refusal();
            throw new Refused(409, $sentence);
        }
        return $visit;
    }

    /** Sends the patient to the visit's own page. It says when the room opens, and waits. */
    private static function open(Visit $visit): void
    {
        $token = $_POST['csrf_token_form'] ?? '';
        if (!is_string($token) || !Host::csrfIsRight($token)) {
            throw new Refused(403, 'Open the visit again from the portal.');
        }
        if ($visit->closesAt() <= time()) {
            throw new Refused(410, 'This visit is over.');
        }
        $link = (new Service())->link($visit);
        Host::audit(true, "opened the visit's page: {$visit->described()}", $visit->pid);
        header("Location: {$link->reveal()}", true, 303);
    }
}
