<?php

// One call of the PHP client, as JSON on standard input says; its outcome as JSON.

declare(strict_types=1);

use JitsiTokens\Appointment;
use JitsiTokens\Client;
use JitsiTokens\ConflictException;
use JitsiTokens\JitsiTokensException;
use JitsiTokens\Limits;
use JitsiTokens\Meeting;
use JitsiTokens\Secret;

set_error_handler(static function (int $level, string $message, string $file, int $line): never {
    throw new ErrorException($message, 0, $level, $file, $line);
});

$ask = json_decode(stream_get_contents(STDIN), true, 32, JSON_THROW_ON_ERROR);
$method = key(camel([$ask['method'] => null]));
require $ask['client'] . '/autoload.php';

function camel(array $names): array
{
    $named = [];
    foreach ($names as $name => $value) {
        $named[lcfirst(str_replace('_', '', ucwords($name, '_')))] = $value;
    }
    return $named;
}

function client(array $ask): Client
{
    $settings = $ask['settings'];
    $limits = array_diff_key($settings, ['url' => 0, 'api_key' => 0, 'id_key' => 0]);
    $rest = [
        $settings['url'] ?? null,
        isset($settings['api_key']) ? new Secret($settings['api_key']) : null,
        isset($settings['id_key']) ? new Secret($settings['id_key']) : null,
        $limits === [] ? null : new Limits(...camel($limits)),
    ];
    if ($ask['transport'] === 'curl') {
        return new Client(...$rest);
    }
    require_once '/usr/share/php/GuzzleHttp/autoload.php';
    $factory = new GuzzleHttp\Psr7\HttpFactory();
    $http = new GuzzleHttp\Client([
        'timeout' => $settings['attempt_seconds'] ?? 8,
        'connect_timeout' => $settings['connect_seconds'] ?? 3,
        'proxy' => '',
    ]);
    return Client::withPsr18($http, $factory, $factory, ...$rest);
}

function request(array $request): array
{
    if (isset($request['appointment'])) {
        $given = $request['appointment'];
        $request['appointment'] = isset($given['zone'])
            ? Appointment::local($given['date'], $given['time'], $given['zone'], $given['duration'])
            : new Appointment(new DateTimeImmutable($given['start']), $given['duration']);
    }
    return camel($request);
}

function printed(mixed $value): string
{
    ob_start();
    var_dump($value);
    print_r($value);
    echo json_encode($value, JSON_PARTIAL_OUTPUT_ON_ERROR);
    foreach ([var_export(...), static fn ($value) => print(serialize($value))] as $print) {
        try {
            $print($value);
        } catch (Exception) {
            // What holds itself is not exported; what holds a closure is not serialised.
        }
    }
    return ob_get_clean();
}

$client = client($ask);
$request = request($ask['request']);
$outcome = [];
$dumps = printed($client);
unset($ask);
$started = microtime(true);
try {
    $result = $client->$method(...$request);
    $outcome['seconds'] = microtime(true) - $started;
    if ($result instanceof Meeting) {
        $outcome['kind'] = 'meeting';
        $outcome['values'] = [
            'token' => $result->token,
            'expiresAt' => $result->expiresAt,
            'notBefore' => $result->notBefore,
            'meetingUrl' => $result->meetingUrl,
            'roomName' => $result->roomName,
        ];
        $dumps .= printed($result);
    } elseif (is_array($result)) {
        $dumps .= printed($result);
        // What an application does with a link: it puts it into a mail.
        array_walk_recursive($result, static function (mixed &$value): void {
            $value = $value instanceof Secret ? $value->reveal() : $value;
        });
        $outcome['kind'] = 'visit';
        $outcome['values'] = $result;
    } else {
        $outcome['kind'] = 'configured';
        $outcome['values'] = ['configured' => $result];
    }
} catch (JitsiTokensException $error) {
    $outcome['seconds'] = microtime(true) - $started;
    $class = substr($error::class, strlen('JitsiTokens\\'));
    $outcome['kind'] = preg_replace('/Exception$/', '', $class);
    $outcome['values'] = [
        'message' => $error->getMessage(),
        'status' => $error->status,
        'field' => $error->field,
        'retryAfterSeconds' => $error->retryAfterSeconds,
    ];
    if ($error instanceof ConflictException) {
        $outcome['values'] += ['problem' => $error->kind, 'opensAt' => $error->opensAt];
    }
    $outcome['previous'] = $error->getPrevious() !== null;
    $dumps .= printed($error) . $error . $error->getTraceAsString()
        . print_r($error->getTrace(), true);
}
$outcome['dumps'] = base64_encode($dumps);
echo json_encode($outcome, JSON_THROW_ON_ERROR);
