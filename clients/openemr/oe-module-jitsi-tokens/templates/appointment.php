<?php

/**
 * In the dialog of an appointment. It is all one form, so the buttons make forms of their own:
 * module.js.
 *
 * @var ?string               $sentence why nobody can enter
 * @var bool                  $mayModerate
 * @var array<string, string> $fields
 */

use JitsiTokens\OpenEMR\Module;

$buttons = [
    ['Copy the link', 'link', ''],
    ['Send the link', 'send', ''],
    ['New link', 'new-link', ''],
];
if ($sentence === null && $mayModerate) {
    $buttons = [
        ['Join video visit', 'join', ''],
        ['10 minutes late', 'late', '10'],
        ['20 minutes late', 'late', '20'],
        ['30 minutes late', 'late', '30'],
        ['On time', 'late', '0'],
        ['By phone instead', 'by-phone', ''],
        ['End', 'end', ''],
        ...$buttons,
    ];
}

?>
<div class="jitsi-tokens mt-2">
<?php if ($sentence !== null) { ?>
    <p class="text-muted"><?php echo xlt('Video visit') . ': ' . text(xl($sentence)); ?></p>
<?php } else { ?>
    <div data-jitsi-tokens="<?php echo attr(json_encode($fields, JSON_THROW_ON_ERROR)); ?>"
        data-action="<?php echo attr(Module::address('visit.php')); ?>"
        data-sure="<?php echo xla('Replace the link? The patient needs the new one then.'); ?>"
        data-copied="<?php echo xla('The link is copied. It is for this patient alone.'); ?>">
        <?php foreach ($buttons as [$label, $action, $minutes]) { ?>
        <button type="button"
            class="btn btn-sm <?php echo $action === 'join' ? 'btn-primary' : 'btn-secondary'; ?>"
            data-do="<?php echo attr($action); ?>" data-minutes="<?php echo attr($minutes); ?>">
            <?php echo xlt($label); ?>
        </button>
        <?php } ?>
        <output class="d-block" role="status"></output>
    </div>
    <script src="<?php echo attr(Module::address('module.js')); ?>"></script>
<?php } ?>
</div>
