<?php

/**
 * What a patient sees who followed a link to the portal.
 *
 * @var ?string                         $sentence why there is no visit
 * @var ?JitsiTokens\OpenEMR\Visit      $visit
 */

use JitsiTokens\OpenEMR\Host;
use JitsiTokens\OpenEMR\Module;
use JitsiTokens\OpenEMR\Settings;

$number = preg_replace('/[^+\d]/', '', Settings::text('phone'));
?>
<!DOCTYPE html>
<html lang="en">
<head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <title><?php echo xlt('Video visit'); ?></title>
</head>
<body style="font-family: sans-serif; margin: 2rem auto; max-width: 30rem; padding: 0 1rem">
<h1><?php echo text(Settings::text('clinic')); ?></h1>
<?php if ($visit === null) { ?>
<p><?php echo text(xl((string) $sentence)); ?></p>
<?php } else { ?>
<p><?php echo xlt('Your video visit') . ': ' . text($visit->begin()->format('Y-m-d H:i')); ?>
    (<?php echo text(Settings::zone()->getName()); ?>)</p>
<form method="post" action="<?php echo attr(Module::address('portal.php')); ?>">
    <input type="hidden" name="csrf_token_form" value="<?php echo attr(Host::csrfToken()); ?>">
    <input type="hidden" name="eid" value="<?php echo attr($visit->eids[0]); ?>">
    <input type="hidden" name="date" value="<?php echo attr($visit->date); ?>">
    <button type="submit" style="font-size: 1.2rem; padding: 0.8rem">
        <?php echo xlt('Open the video visit'); ?>
    </button>
</form>
<?php } ?>
<p><?php echo xlt('Trouble? Call'); ?>
    <a href="tel:<?php echo attr($number); ?>"><?php echo text(Settings::text('phone')); ?></a>
</p>
</body>
</html>
