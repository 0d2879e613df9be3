"""The classic listing of ENAS in NNI 2.x, on the networks and the policy of this package: new import lines, no more.

    from nas_tutorial.adapters.nni import EnasTrainer, GeneralNetwork, accuracy, get_dataset, reward_accuracy

    dataset_train, dataset_valid = get_dataset("cifar10")
    model, num_epochs = GeneralNetwork(), 310
    optimizer = torch.optim.SGD(model.parameters(), 0.05, momentum=0.9, weight_decay=1e-4)
    lr_scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=num_epochs, eta_min=0.001)
    trainer = EnasTrainer(model, loss=nn.CrossEntropyLoss(), metrics=accuracy, reward_function=reward_accuracy,
                          optimizer=optimizer, batch_size=64, num_epochs=num_epochs, dataset=dataset_train,
                          log_frequency=10, ctrl_kwargs={})
    trainer.fit()       # prints lines such as: Model Epoch [1/310] Step [11/391]  acc1 0.125000 (0.127841)  loss …
    trainer.export()    # {"layer_0_op": "sep_conv_3x3", …}; trainer.architecture is the same, for `retrain`

The micro space: `MicroNetwork(num_layers=6, out_channels=20, num_nodes=5, dropout_rate=0.1, use_aux_heads=False)`, 150
epochs, and `ctrl_kwargs={"tanh_constant": 1.1}`. Names, order and defaults are those of NNI 2.8, apart from `workers`.

What is done otherwise, and why; NNI first. Numbers are lines of nni/retiarii/oneshot/pytorch/enas.py, or of files in
examples/nas/oneshot/enas, at https://github.com/microsoft/nni/tree/e8c78bbab03fa651563e21cdf004220f29d9560a (2.8).
There the listing stops with an AttributeError, as a `key` was renamed to `label` (utils.py 140); it ran up to 2.7.

- *Operations.* The micro cell returns the input that it chose, and never calls its operation (micro.py 53-55). Here all
  that was chosen runs. The networks are those of the official code, as in `spaces`: each halving has weights of its
  own, as has each branch for each of its inputs; the classifier has no bias.
- *Last rewards.* Validation batches that do not fill a group of `ctrl_steps_aggregate` teach nothing (295, 321-325):
  11 of 391 in an epoch on CIFAR-10, and all of them where there are fewer than 20: with batches of 64, the policy never
  learns from a data set of up to 2,433 pictures. Here the last group may be smaller, and every reward counts.
- *Policy.* Its attention is never asked (91-93), its start token never trained (115). The numbers of the chosen layers
  are added up where these should be counted, so that a skip from number 0 alone counts as none (149-150). The skip
  penalty is a sum over all layers (146). In the micro space each question is asked once for every cell; the last answer
  is used, and all of them enter log π (110-112, 234-236). Here it is the policy of `strategies.controller`, as in the
  official code; its skip penalty is a mean over layers.
- *Rewards* are counted on augmented pictures (datasets.py 20-28; 253-266), and at moving averages of batch norm, which
  mix all architectures (292). Here they are counted at the statistics of the batch, on `reward_dataset`: the
  data set's own `plain` pictures, as `get_dataset` has them; where there are none, the data set as it is, or what you
  give.
- *Learning rate.* The listing makes a schedule, and nobody advances it (search.py 50, 70-80; 336-339). Here the
  schedule of the optimizer is found, and advanced after each epoch.
- *export* draws a new architecture at each call (341-344). Here it is the best of ten that the policy draws, by their
  rewards on some 500 validation pictures  (ENAS, §2.2), and the same at each call.
- *Figures.* The entropy in the reward is p·(−log p) of the chosen answers (156), `log_prob` is −log π (138). Here they
  are the entropy of all distributions met, and log π; `reward` is printed without the entropy, the policy's loss not.
- *workers* is 4. Here it is 0: `get_dataset` hands out whole batches, and a script needs no main function.

Not offered: auxiliary heads, a policy of several LSTM layers, `entropy_reduction="mean"`, networks made of NNI's
LayerChoice and InputChoice, and the arguments of NNI 1.x (mutator, callbacks, dataset_train, dataset_valid).
"""

from nas_tutorial.adapters.nni_data import PictureSet, get_dataset
from nas_tutorial.adapters.nni_model import GeneralNetwork, MicroNetwork, accuracy, reward_accuracy
from nas_tutorial.adapters.nni_trainer import EnasTrainer

__all__ = ["EnasTrainer", "GeneralNetwork", "MicroNetwork", "PictureSet", "accuracy", "get_dataset", "reward_accuracy"]
